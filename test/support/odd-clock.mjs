// Loaded into a process before the program (NODE_OPTIONS=--import): its clock is an hour ahead.
const HOUR = 3_600_000;
const Own = globalThis.Date;
globalThis.Date = class extends Own {
  constructor(...args) {
    if (args.length === 0) super(Own.now() + HOUR);
    else super(...args);
  }
  static now() {
    return Own.now() + HOUR;
  }
};
