import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { serveLoad } from "./serve-load.ts";
import { type UploadJob, upload } from "./upload.ts";

/* Uploads until the next message arrives, and returns the number of bytes per second. */

// Users have computers of their own: the uploads must not take the processors from the server and the measured clients.
setPriority(constants.priority.PRIORITY_LOW);

await serveLoad<UploadJob, number>(async ({ uploaders, fileBytes }) => async () => {
  const startedAt = performance.now();
  let isStopping = false;
  let bytes = 0;
  void once(process, "message").then(() => {
    isStopping = true;
  });
  const uploadFiles = async (uploader: UploadJob["uploaders"][number]) => {
    while (!isStopping) {
      await upload(uploader, fileBytes);
      bytes += fileBytes;
    }
  };
  await Promise.all(uploaders.map(uploadFiles));
  return (bytes / (performance.now() - startedAt)) * 1000;
});
