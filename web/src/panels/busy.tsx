import { useIsFetching } from "@tanstack/react-query";
import { useEffect, useState } from "react";

/** How long a query may take before the page says that it is under way, in milliseconds. */
const PATIENCE = 250;

/** A line at the top while anything is asked of the server, and a word for who cannot see it. */
export function Busy() {
  const asked = useIsFetching() > 0;
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(asked), asked ? PATIENCE : 0);
    return () => clearTimeout(timer);
  }, [asked]);
  return (
    <div className="busy" role="status" data-testid="busy">
      {shown && <span>Working…</span>}
    </div>
  );
}
