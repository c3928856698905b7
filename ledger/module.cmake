target_link_libraries(gauger_ledger PUBLIC Threads::Threads PkgConfig::XXHASH
  PRIVATE ${GAUGER_ROCKSDB} PkgConfig::ZSTD PkgConfig::LZ4 OpenSSL::Crypto fmt::fmt)
if(GAUGER_CRASH_POINTS)
  target_compile_definitions(gauger_ledger PRIVATE GAUGER_CRASH_POINTS)
endif()
