# gauger_options: what every target of ours is compiled with.
add_library(gauger_options INTERFACE)
target_include_directories(gauger_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(gauger_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Werror)
# GCC 12 warns of overlapping copies inside std::string's own operator+ (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(gauger_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(GAUGER_SANITIZE)
  # What is left out doubles the time of a build; AddressSanitizer sees a null pointer as well.
  target_compile_options(gauger_options INTERFACE -fsanitize=${GAUGER_SANITIZE}
    -fno-sanitize=null,vptr,object-size -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(gauger_options INTERFACE -fsanitize=${GAUGER_SANITIZE})
endif()

# gauger_module(NAME USES module...): the folder NAME as one static library. What it links
# beyond other modules stands in NAME/module.cmake.
function(gauger_module name)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(gauger_${name} STATIC ${sources})
  target_link_libraries(gauger_${name} PUBLIC gauger_options)
  foreach(used ${ARG_USES})
    if(TARGET gauger_${used})
      target_link_libraries(gauger_${name} PUBLIC gauger_${used})
    endif()
  endforeach()
  if(EXISTS ${CMAKE_SOURCE_DIR}/${name}/module.cmake)
    include(${CMAKE_SOURCE_DIR}/${name}/module.cmake)
  endif()
endfunction()

# gauger_protobuf_users(FILE...): sources that handle protobuf messages. libprotobuf's headers lay
# them out otherwise under ThreadSanitizer, which the packaged library was not built with.
function(gauger_protobuf_users)
  if(GAUGER_SANITIZE STREQUAL "thread")
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -U__SANITIZE_THREAD__)
  endif()
endfunction()
