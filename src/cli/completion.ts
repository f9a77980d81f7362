import type { Command, Option } from "commander";

/** Shells that a script is written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A command as completion sees it. */
interface Completable {
  /** As it is typed: `evaluate zero-shot`; empty for the program. */
  readonly path: string;
  readonly description: string;
  readonly inner: readonly string[];
  readonly options: readonly {
    readonly name: string;
    readonly description: string;
    /** Undefined without a value; empty where it may be anything, such as a file. */
    readonly values: readonly string[] | undefined;
  }[];
}

/**
 * A script that completes commands, options and the values that are known beforehand; anything else is completed as a
 * file. It is made from the program's own commands, so it knows what `--help` knows, and runs without starting Node.
 * @param models what `--model` may name
 */
export function completionScript(program: Command, shell: Shell, models: readonly string[]): string {
  const name = program.name();
  const commands = completables(program, models);
  if (shell === "fish") return `${fishLines(name, commands).join("\n")}\n`;
  const zsh = "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n";
  return `${shell === "zsh" ? zsh : ""}${bashScript(name, commands)}`;
}

function completables(program: Command, models: readonly string[]): Completable[] {
  const valuesOf = (option: Option) => {
    if (!option.required && !option.optional) return undefined;
    return option.long === "--model" ? models : (option.argChoices ?? []);
  };
  const optionsOf = (command: Command) =>
    [...command.options, ...(command === program ? [] : program.options)]
      .filter((option) => option.long !== undefined)
      .map((option) => ({
        name: option.long as string,
        description: option.description,
        values: valuesOf(option),
      }));
  const visit = (command: Command, path: string): Completable[] => [
    {
      path,
      description: command.description(),
      inner: command.commands.map((inner) => inner.name()),
      options: optionsOf(command),
    },
    ...command.commands.flatMap((inner) => visit(inner, `${path} ${inner.name()}`.trim())),
  ];
  return visit(program, "");
}

function bashScript(name: string, commands: readonly Completable[]): string {
  const function_ = `_${name.replaceAll("-", "_")}`;
  const quoted = (words: readonly string[]) => `'${words.join(" ")}'`;
  const paths = commands.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const values = commands.flatMap(({ path, options }) =>
    options.flatMap(({ name: option, values: known }) =>
      known === undefined ? [] : [`      "${path} ${option}") words=${quoted(known)}; taken=1 ;;`],
    ),
  );
  const words = commands.map(
    ({ path, inner, options }) =>
      `      "${path}") words=${quoted([...inner, "--help", ...options.map((option) => option.name)])}; inner=${inner.length > 0 ? 1 : 0} ;;`,
  );
  return `${function_}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" words="" taken=0 inner=0 i next
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${command:+$command }\${COMP_WORDS[i]}"
    case "$next" in
      ${paths.join("|")}) command="$next" ;;
    esac
  done
  case "$command $before" in
${values.join("\n")}
  esac
  if ((!taken)); then
    case "$command" in
${words.join("\n")}
    esac
    # What is no option is a file, except where a command must follow.
    [[ $current != -* ]] && ((!inner)) && words=""
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F ${function_} ${name}
`;
}

function fishLines(name: string, commands: readonly Completable[]): string[] {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const seen = (path: string) =>
    path === ""
      ? "__fish_use_subcommand"
      : path
          .split(" ")
          .map((word) => `__fish_seen_subcommand_from ${word}`)
          .join("; and ");
  return commands.flatMap(({ path, inner, options }) => {
    const none =
      inner.length > 0 && path !== "" ? `; and not __fish_seen_subcommand_from ${inner.join(" ")}` : "";
    const line = (rest: string) => `complete -c ${name} -n ${quoted(seen(path) + none)} ${rest}`;
    const described = (word: string) =>
      commands.find((command) => command.path === `${path} ${word}`.trim())?.description ?? "";
    return [
      ...inner.map((word) => line(`-f -a ${word} -d ${quoted(described(word))}`)),
      ...options.map(({ name: option, description, values }) => {
        const value =
          values === undefined ? "" : values.length === 0 ? " -r" : ` -x -a ${quoted(values.join(" "))}`;
        return line(`-l ${option.slice(2)}${value} -d ${quoted(description)}`);
      }),
    ];
  });
}
