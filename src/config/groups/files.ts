import { filesOfMessageMax } from "../../domain/file.ts";
import { bytes, group, integer, onOff, optionalInteger, optionalText, Unset, url, wholeSeconds } from "../setting.ts";

const gibibyte = 1024 ** 3;
/** What S3 takes in one request. */
const maxObjectBytes = 5 * gibibyte;

export const fileSettings = group(
  {
    title: "Files",
    note: "Without FILES_URL files are in DATA_DIR/files, which processes that share a database must share.",
  },
  {
    url: url(
      "FILES_URL",
      {
        schemes: ["s3"],
        form: "s3://bucket?endpoint=https://s3.example.org",
        example: "s3://key:secret@bucket/prefix?endpoint=https://s3.example.org&region=eu-central-1",
      },
      new Unset("files are in DATA_DIR/files"),
      "The bucket for files; needs the package @aws-sdk/client-s3. Key and secret may come from where the AWS SDK finds them.",
    ),
    maxBytes: bytes("FILE_MAX_BYTES", [1, maxObjectBytes], 50 * 1024 ** 2, "Largest file."),
    perMessage: integer("FILES_PER_MESSAGE", [1, filesOfMessageMax], filesOfMessageMax, "Most files of one message."),
    bytesPerUser: bytes(
      "FILES_PER_USER_BYTES",
      [0, Number.MAX_SAFE_INTEGER],
      5 * gibibyte,
      "What all files that one user has uploaded may take.",
    ),
    totalBytes: optionalInteger(
      "FILES_TOTAL_BYTES",
      [0, Number.MAX_SAFE_INTEGER],
      new Unset("no limit"),
      "What all files of the server may take, in bytes.",
    ),
    unclaimedSeconds: wholeSeconds(
      "FILE_UNCLAIMED_SECONDS",
      [1, 30 * 86_400],
      86_400,
      "How long a file is kept that was not sent in a message.",
    ),
    collectSeconds: wholeSeconds(
      "FILE_COLLECT_SECONDS",
      [1, 86_400],
      3600,
      "How often files are deleted that are in no message any more.",
    ),
    linkSeconds: wholeSeconds("FILE_LINK_SECONDS", [10, 86_400], 600, "How long a link to a file works."),
    stripsMetadata: onOff(
      "FILE_STRIP_METADATA",
      "on",
      "`on` writes JPEG photos anew without metadata, such as the place where they were taken; needs the package sharp.",
    ),
    scanCommand: optionalText(
      "FILE_SCAN_COMMAND",
      "a program and its arguments, such as clamdscan --no-summary --fdpass",
      new Unset("files are not scanned by a command"),
      "Scans each uploaded file, whose path is added as the last argument: ends with 0 if it is clean, with 1 if not. Runs without a shell.",
    ),
    scanClamd: optionalText(
      "FILE_SCAN_CLAMD",
      "host:port",
      new Unset("files are not scanned by clamd"),
      "The ClamAV daemon that scans each uploaded file.",
      /^[^\s:]+:\d{1,5}$/,
    ),
  },
);
