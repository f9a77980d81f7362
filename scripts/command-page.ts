import type { Command, Option } from "commander";

/** The page that lists every command and option, from the program's own definitions. */
export function commandPage(program: Command): string {
  const lines = [
    "# Commands",
    "",
    "What `clip-interpret COMMAND --help` says, on one page. It is written from the commands themselves by `npm run docs:commands`,",
    "and a test holds the two equal. `clip-interpret` alone is `clip-interpret serve`; `clip-interpret --help` lists the commands. Pages on",
    "what to do with them: [README](../README.md).",
  ];
  const visit = (command: Command, path: string) => {
    const inner = command.commands.filter((one) => one.name() !== "help");
    if (path !== "") {
      const usage = ["clip-interpret", path, command.usage()].join(" ");
      lines.push("", `## ${path}`, "", `${sentence(command.description())}`, "", "```text", usage, "```");
      const own = command.options.filter(({ hidden }) => !hidden);
      const given = command.registeredArguments.filter(({ description }) => description);
      if (given.length + own.length > 0) {
        lines.push("", "| | |", "| --- | --- |");
        for (const one of given) lines.push(row(one.name(), one.description));
        for (const option of own) lines.push(row(option.flags, described(option)));
      }
    }
    for (const one of inner) visit(one, `${path} ${one.name()}`.trim());
  };
  visit(program, "");
  lines.push("", "## Options of every command", "", "| | |", "| --- | --- |");
  for (const option of program.options) lines.push(row(option.flags, described(option)));
  return `${lines.join("\n")}\n`;
}

const sentence = (text: string) => `${text[0].toUpperCase()}${text.slice(1)}.`;
const escaped = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replace(/\s+/g, " ");
const row = (flags: string, description: string) =>
  `| \`${flags.replaceAll("|", "\\|")}\` | ${escaped(description)} |`;

function described({
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
  envVar,
}: Option): string {
  const more = [
    ...(argChoices ? [`one of ${argChoices.join(", ")}`] : []),
    ...(hasMeaning(defaultValue) ? [`default: ${defaultValueDescription ?? defaultValue}`] : []),
    ...(envVar ? [`or \`${envVar}\``] : []),
  ];
  return more.length === 0 ? description : `${description} (${more.join("; ")})`;
}

/** A switch that is off, no text and an empty list go without saying. */
const hasMeaning = (value: unknown): boolean =>
  value !== undefined && value !== false && value !== "" && !(Array.isArray(value) && value.length === 0);
