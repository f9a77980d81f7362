import { useSyncExternalStore } from "react";

const phone = window.matchMedia("(max-width: 40rem)");
function listen(changed: () => void): () => void {
  phone.addEventListener("change", changed);
  return () => phone.removeEventListener("change", changed);
}

/** Whether there is little width: drawings are then made for it, so that their words stay as large. */
export const useIsPhone = (): boolean => useSyncExternalStore(listen, () => phone.matches);
