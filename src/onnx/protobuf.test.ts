import { describe, expect, it } from "vitest";
import * as pb from "./protobuf.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

// Expected bytes are those of the protobuf documentation's encoding guide.
describe("the protobuf wire format", () => {
  it("writes varints, also large and negative", () => {
    expect(hex(pb.int(1, 150))).toBe("089601");
    expect(hex(pb.int(1, 0))).toBe("0800");
    expect(hex(pb.int(3, -2))).toBe("18feffffffffffffffff01");
    expect(hex(pb.int(16, 2 ** 40))).toBe("8001808080808020");
  });

  it("writes text, nested messages and floats", () => {
    expect(hex(pb.bytes(2, "testing"))).toBe("120774657374696e67");
    expect(hex(pb.bytes(3, [pb.int(1, 150)]))).toBe("1a03089601");
    expect(hex(pb.float(2, 1))).toBe("150000803f");
  });
});
