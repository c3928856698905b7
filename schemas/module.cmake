# The generated protobuf classes are the slow, complete reading of an event: the fallback of
# ingest's own parser and the other side of its differential fuzzing.
set(generated ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
add_custom_command(
  OUTPUT ${generated}/schemas/usage_event.pb.cc ${generated}/schemas/usage_event.pb.h
  COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR} --cpp_out=${generated}
          schemas/usage_event.proto
  DEPENDS ${CMAKE_SOURCE_DIR}/schemas/usage_event.proto)
gauger_protobuf_users(${generated}/schemas/usage_event.pb.cc)
add_library(gauger_proto STATIC ${generated}/schemas/usage_event.pb.cc)
target_include_directories(gauger_proto SYSTEM PUBLIC ${generated})
target_link_libraries(gauger_proto PUBLIC protobuf::libprotobuf)
target_link_libraries(gauger_schemas PUBLIC gauger_proto Boost::headers PRIVATE date::date-tz)
