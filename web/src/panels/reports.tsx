import { here } from "../state/api.ts";
import { formatAddress } from "../state/url.ts";
import { CompareModels } from "./compare-models.tsx";
import { Missing } from "./problem.tsx";
import type { ViewProps } from "./view.ts";

/** Pages that `study`, `compare` and other commands wrote, as they drew them. */
export function Reports(props: ViewProps) {
  const { state, go, app } = props;
  const { reports } = app;
  const report = state.report === null ? reports[0] : reports.find(({ id }) => id === state.report);
  return (
    <div className="reports">
      <CompareModels {...props} />
      {reports.length === 0 && (
        <div className="empty">
          <p>
            There are no reports yet. <code>clip-interpret study --out report</code> writes one of several
            models, <code>compare --out pairs.html</code> one of the heads of two;{" "}
            <code>clip-interpret serve --report report --report pairs.html</code> shows both here.
          </p>
        </div>
      )}
      {reports.length > 0 && (
        <nav aria-label="Reports">
          {reports.map(({ id, title }) => (
            <a
              key={id}
              href={formatAddress({ ...state, report: id })}
              aria-current={id === report?.id ? "page" : undefined}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                go({ report: id });
              }}
            >
              <bdi>{title}</bdi>
            </a>
          ))}
        </nav>
      )}
      {reports.length > 0 && !report && (
        <Missing what={`This server has no report “${state.report}”.`}>
          <button type="button" onClick={() => go({ report: null })}>
            Show the first
          </button>
        </Missing>
      )}
      {report && (
        <>
          <h2>
            <bdi>{report.title}</bdi>{" "}
            <small>
              <a href={here(`/api/reports/${report.id}`)} target="_blank" rel="noreferrer">
                alone, in a tab of its own
              </a>
            </small>
          </h2>
          {/* It runs nothing: the server sends it so. */}
          <iframe key={report.id} src={here(`/api/reports/${report.id}`)} title={report.title} />
        </>
      )}
    </div>
  );
}
