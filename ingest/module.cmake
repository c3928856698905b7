gauger_protobuf_users(ingest/wire_decoder.cpp ingest/wire_records.cpp)
target_link_libraries(gauger_ingest PUBLIC Threads::Threads
  PRIVATE simdjson::simdjson protobuf::libprotobuf PkgConfig::RDKAFKA PkgConfig::ZSTD ZLIB::ZLIB
          PkgConfig::XXHASH ${GAUGER_YAML} fmt::fmt)
