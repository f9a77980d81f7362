/** A lower bound: a property drawn at random for every head, each as likely. */
import { Random } from "../../math/random.ts";
import { claimOf, type Method } from "../method.ts";

export const random: Method = {
  key: "random",
  name: "random label",
  paper: "no paper: a lower bound",
  reads: [],
  bound: "lower",
  async judge(bench) {
    const { heads, properties, seed } = bench;
    return heads.map((head) => {
      const drawn = new Random(seed, 7919 * (head.layer + 1) + head.head).below(properties.length);
      return claimOf(
        head,
        bench,
        properties.map((_, p) => (p === drawn ? 1 : 0)),
      );
    });
  },
};
