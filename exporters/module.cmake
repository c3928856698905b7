# The API's description travels inside the program.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schemas/openapi.yaml)
file(READ ${CMAKE_SOURCE_DIR}/schemas/openapi.yaml openapi_yaml)
configure_file(exporters/api/openapi.cpp.in ${CMAKE_BINARY_DIR}/generated/openapi.cpp @ONLY)
target_sources(gauger_exporters PRIVATE ${CMAKE_BINARY_DIR}/generated/openapi.cpp)
set_source_files_properties(${CMAKE_BINARY_DIR}/generated/openapi.cpp PROPERTIES
  COMPILE_OPTIONS -Wno-overlength-strings)
# What clang's check of function pointers puts before a function it cannot put before a coroutine:
# "Cannot represent a difference across sections" (LLVM issue 49689).
if(GAUGER_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  set_source_files_properties(exporters/http/connection.cpp exporters/http/server.cpp PROPERTIES
    COMPILE_OPTIONS -fno-sanitize=function)
endif()
target_link_libraries(gauger_exporters PUBLIC fmt::fmt PRIVATE ${GAUGER_HPDF} Boost::headers Threads::Threads OpenSSL::SSL
                      OpenSSL::Crypto ZLIB::ZLIB prometheus-cpp::core simdjson::simdjson)
