/** Whether the server has no web client (`WEB_CLIENT=off`), only the pages that links lead to. */
export const isOnlyForLinks = document.querySelector('meta[name="web-client"][content="off"]') !== null;
