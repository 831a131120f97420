import type { Request } from "express";

/** Whether `Accept` names HTML, as that of a browser does when it opens a page. Wildcards do not. */
export function asksForHtml(request: Request): boolean {
  return (request.get("accept") ?? "").split(",").some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    return type === "text/html" && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
