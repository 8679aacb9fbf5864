// The parts of hyparquet that are used. Its own types need a module resolution that this package does not use.

/** Bytes of a file, which are read in slices. */
export interface AsyncBuffer {
  byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

interface SchemaElement {
  name: string;
  type?: string;
  converted_type?: string;
  logical_type?: { type: string };
}

interface SchemaTree {
  element: SchemaElement;
  children: SchemaTree[];
}

interface ColumnMetadata {
  type: string;
  path_in_schema: string[];
  codec: string;
  encodings: string[];
  total_compressed_size: bigint;
  total_uncompressed_size: bigint;
  data_page_offset: bigint;
  dictionary_page_offset?: bigint;
}

/** The footer of a parquet file. */
export interface ParquetMetadata {
  schema: SchemaElement[];
  row_groups: { num_rows: bigint; columns: { meta_data?: ColumnMetadata }[] }[];
}

/** The functions of hyparquet and hyparquet-compressors. */
export interface Hyparquet {
  parquetMetadataAsync(file: AsyncBuffer, options: { geoparquet: boolean }): Promise<ParquetMetadata>;
  parquetSchema(metadata: ParquetMetadata): SchemaTree;
  parquetReadObjects(options: {
    file: AsyncBuffer;
    metadata: ParquetMetadata;
    compressors: object;
    columns: string[];
    rowStart: number;
    rowEnd: number;
    utf8: boolean;
  }): Promise<Record<string, unknown>[]>;
  compressors: object;
}
