/** What pages call pictures that they did not come with. */
import { sha256Of } from "../support/hash.ts";

/** What an index at an address is called in a page. */
export const nameOfAddress = (address: string): string => `at-${sha256Of(address).slice(0, 16)}`;

/** Whether a corpus, or what begins with one, did not come with the page. */
export const isCollection = (name: string): boolean => /^(own|at)-/.test(name);

/** Where a page keeps a picture of a folder, in the folder's own. */
export const pictureFile = (id: string): string => `pictures/${id}`;
