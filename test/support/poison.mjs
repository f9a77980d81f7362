// Loaded into a process before the program (NODE_OPTIONS=--import): an image whose name has "poison" in it kills
// whoever opens it, as a fault in a decoder's native code would.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

for (const [where, names] of [
  [fs.promises, ["open", "readFile"]],
  [fs, ["open", "openSync", "readFileSync", "readFile", "createReadStream"]],
]) {
  for (const name of names) {
    const own = where[name];
    where[name] = (path, ...more) => {
      if (/poison[^/]*\.png$/.test(String(path))) process.kill(process.pid, "SIGKILL");
      return own(path, ...more);
    };
  }
}
syncBuiltinESMExports();
