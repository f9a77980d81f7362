import { config } from "zod";

// The page's policy lets nobody make code of text; zod would try, and browsers would tell of it.
config({ jitless: true });
