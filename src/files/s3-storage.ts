import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { StartError } from "../errors.ts";
import {
  type ByteRange,
  type FileStorage,
  type ObjectSource,
  partsOfKey,
  StorageFullError,
  StorageUnavailableError,
  type StoredObject,
} from "./storage.ts";

type S3Module = typeof import("@aws-sdk/client-s3");

const connectTimeoutMs = 5000;
/** Without progress. */
const socketTimeoutMs = 15_000;
const maxAttempts = 3;

/** Where the objects are, as `FILES_URL` says. */
export interface S3Location {
  bucket: string;
  /** The beginning of all keys; empty, or it ends with a slash. */
  prefix: string;
  endpoint: string | undefined;
  region: string;
  /** Undefined if the SDK finds them, in its usual variables, files and services of the cloud. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** Reads `s3://KEY:SECRET@BUCKET/PREFIX?endpoint=…&region=…`, of which only the bucket is necessary. */
export function parseS3Url(url: string): S3Location {
  const { hostname, pathname, username, password, searchParams } = new URL(url);
  const folder = decodeURIComponent(pathname).replace(/^\/+|\/+$/g, "");
  return {
    bucket: hostname,
    prefix: folder === "" ? "" : `${folder}/`,
    endpoint: searchParams.get("endpoint") ?? undefined,
    region: searchParams.get("region") ?? "us-east-1",
    credentials:
      username === ""
        ? undefined
        : { accessKeyId: decodeURIComponent(username), secretAccessKey: decodeURIComponent(password) },
  };
}

/** Objects in a bucket of S3, or of a service with the same API. */
export class S3Storage implements FileStorage {
  readonly description: string;

  private constructor(
    private readonly s3: S3Module,
    private readonly client: S3Client,
    private readonly location: S3Location,
  ) {
    this.description = `the bucket ${location.bucket}`;
  }

  /** @throws StartError if the optional package is not installed */
  static async open(location: S3Location): Promise<S3Storage> {
    const s3 = await import("@aws-sdk/client-s3").catch((cause) => {
      throw new StartError("FILES_URL needs the package @aws-sdk/client-s3: run npm install @aws-sdk/client-s3", {
        cause,
      });
    });
    const { endpoint, region, credentials } = location;
    const client = new s3.S3Client({
      region,
      maxAttempts,
      requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: socketTimeoutMs },
      // Services that only resemble S3 do not know the newer checksums.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(credentials && { credentials }),
    });
    return new S3Storage(s3, client, location);
  }

  async put(key: string, source: ObjectSource): Promise<void> {
    const body = "bytes" in source ? source.bytes : createReadStream(source.path);
    const size = "bytes" in source ? source.bytes.length : source.size;
    const command = new this.s3.PutObjectCommand({ ...this.object(key), Body: body, ContentLength: size });
    try {
      await this.client.send(command);
    } catch (error) {
      throw asStorageError(error);
    } finally {
      if (body instanceof Readable) body.destroy();
    }
  }

  async get(key: string, range?: ByteRange): Promise<Readable | undefined> {
    const bytes = range && `bytes=${range.start}-${range.end}`;
    const command = new this.s3.GetObjectCommand({
      ...this.object(key),
      ...(bytes !== undefined && { Range: bytes }),
    });
    try {
      const { Body: body } = await this.client.send(command);
      return body instanceof Readable ? body : undefined;
    } catch (error) {
      if ((error as Error).name === "NoSuchKey") return undefined;
      throw asStorageError(error);
    }
  }

  async delete(key: string): Promise<void> {
    await this.client.send(new this.s3.DeleteObjectCommand(this.object(key))).catch((error) => {
      throw asStorageError(error);
    });
  }

  async *list(owner?: string): AsyncIterable<StoredObject> {
    const { bucket, prefix } = this.location;
    const pages = this.s3.paginateListObjectsV2(
      { client: this.client },
      { Bucket: bucket, Prefix: owner === undefined ? prefix : `${prefix}${owner}/` },
    );
    try {
      for await (const { Contents: objects = [] } of pages) {
        for (const { Key: name, Size: size = 0, LastModified: modifiedAt } of objects) {
          if (name !== undefined && modifiedAt) yield { key: name.slice(prefix.length), size, modifiedAt };
        }
      }
    } catch (error) {
      throw asStorageError(error);
    }
  }

  private object(key: string): { Bucket: string; Key: string } {
    partsOfKey(key);
    const { bucket, prefix } = this.location;
    return { Bucket: bucket, Key: `${prefix}${key}` };
  }
}

function asStorageError(error: unknown): Error {
  const { $metadata: metadata } = error as { $metadata?: { httpStatusCode?: number } };
  if (metadata?.httpStatusCode === 507) return new StorageFullError("the bucket is full", { cause: error });
  return new StorageUnavailableError("the bucket cannot be used now", { cause: error });
}
