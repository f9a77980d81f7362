import { useQuery } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { ApiError, client, type Problem } from "../state/api.ts";
import type { GpuChoice } from "../state/client.ts";
import { queryClient } from "../state/queries.ts";
import { ProblemNote } from "./problem.tsx";

const nothing = () => () => {};
const useGpu = <T extends boolean | Problem | undefined>(read: (gpu: GpuChoice | undefined) => T): T =>
  useSyncExternalStore(client.gpu?.listen ?? nothing, () => read(client.gpu));

/** Has models computed on the GPU, where the browser has one to offer. */
export function ChooseGpu() {
  const isOn = useGpu((gpu) => gpu?.isOn() ?? false);
  const [error, setError] = useState<unknown>();
  const { data: isOffered } = useQuery({
    queryKey: ["gpu offered"],
    enabled: client.gpu !== undefined,
    queryFn: () => client.gpu!.offered(),
  });
  if (!isOffered && !isOn) return null;
  const choose = async (on: boolean) => {
    setError(undefined);
    try {
      await client.gpu!.choose(on);
      await queryClient.invalidateQueries();
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <>
      <label title="WebGPU, once it was seen to compute what WebAssembly does; what it needs is fetched then, 6.6 MB">
        <input type="checkbox" checked={isOn} onChange={({ target }) => void choose(target.checked)} />{" "}
        compute on the GPU
      </label>
      {error !== undefined && <ProblemNote error={error} />}
    </>
  );
}

/** Why a model is not computed on the GPU, though that was chosen. */
export function GpuProblem({ model }: { readonly model: string }) {
  const problem = useGpu((gpu) => (gpu?.isOn() ? gpu.problem(model) : undefined));
  return problem ? <ProblemNote error={new ApiError(problem)} /> : null;
}
