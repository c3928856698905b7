target_link_libraries(gauger_ledger PUBLIC Threads::Threads PkgConfig::XXHASH
  PRIVATE ${GAUGER_ROCKSDB} PkgConfig::ZSTD PkgConfig::LZ4 OpenSSL::Crypto fmt::fmt)
