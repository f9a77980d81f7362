import { expect, it } from "vitest";
import { bucketOf } from "./language.ts";

// transformers 5.24: MT5Attention._relative_position_bucket(distance, True, 32, 128).
it.each([
  [-300, 15],
  [-128, 15],
  [-32, 12],
  [-16, 10],
  [-8, 8],
  [-1, 1],
  [0, 0],
  [1, 17],
  [7, 23],
  [8, 24],
  [11, 24],
  [12, 25],
  [22, 26],
  [23, 27],
  [45, 28],
  [46, 29],
  [90, 30],
  [91, 31],
  [128, 31],
])("a T5 reads its bias %i tokens away in row %i", (distance, row) => {
  expect(bucketOf(distance, 32, 128)).toBe(row);
});
