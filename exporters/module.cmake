# The API's description travels inside the program.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schemas/openapi.yaml)
file(READ ${CMAKE_SOURCE_DIR}/schemas/openapi.yaml openapi_yaml)
configure_file(exporters/api/openapi.cpp.in ${CMAKE_BINARY_DIR}/generated/openapi.cpp @ONLY)
target_sources(gauger_exporters PRIVATE ${CMAKE_BINARY_DIR}/generated/openapi.cpp)
target_link_libraries(gauger_exporters PUBLIC fmt::fmt PRIVATE ${GAUGER_HPDF} Boost::headers Threads::Threads OpenSSL::SSL
                      OpenSSL::Crypto ZLIB::ZLIB prometheus-cpp::core simdjson::simdjson)
