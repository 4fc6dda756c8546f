# The two functions by which every folder declares what it builds, and the flags that all of it shares.

add_library(potok_warnings INTERFACE)
target_compile_options(potok_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Werror)

if(POTOK_OPTIMIZED)
  # g++ 12 takes the moved-from alternatives of a std::variant for uninitialised (GCC bug 105562 and its like). What these
  # find for good the other presets find too; a build for use must not fail on them.
  target_compile_options(potok_warnings INTERFACE
    -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
endif()

# One precompiled header of the standard library, shared by every target that wants it.
if(POTOK_PCH)
  add_library(potok_pch STATIC ${PROJECT_SOURCE_DIR}/cmake/pch.cc)
  target_precompile_headers(potok_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)
  target_compile_options(potok_pch PRIVATE -fpch-preprocess)
  target_include_directories(potok_pch PRIVATE ${PROJECT_SOURCE_DIR})
  # The same flags as its readers: -Wpedantic alone changes predefined macros, and then the header is not used.
  target_link_libraries(potok_pch PRIVATE potok_warnings fmt::fmt Threads::Threads)
endif()

# potok_library(NAME SRCS a.cc ... DEPS public... PRIVATE_DEPS private...)
#
# A static library with all warnings as errors. With no SRCS it is an interface library (headers only).
function(potok_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(NOT ARG_SRCS)
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
    return()
  endif()
  add_library(${name} STATIC ${ARG_SRCS})
  potok_target(${name})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} potok_warnings)
endfunction()

# potok_program(NAME SRCS a.cc ... DEPS lib...)
function(potok_program name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  potok_target(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} potok_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# potok_test(NAME SRCS a_test.cc ... DEPS lib... [LABELS unit|postgres|process|grpc] [TIMEOUT seconds])
#
# A GoogleTest program, run by CTest as one test. It links only what it names. The label `grpc` is for one that serves or calls
# through gRPC; ThreadSanitizer cannot judge it (docs/testing.md).
function(potok_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  potok_target(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main potok_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_options(${name} PRIVATE ${POTOK_TEST_FLAGS})
  if(POTOK_TSAN)
    potok_has_threads(threads ${ARG_DEPS})
    if(NOT threads OR grpc IN_LIST ARG_LABELS)
      set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
      return()
    endif()
  endif()
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ENVIRONMENT "${POTOK_TEST_ENVIRONMENT}")
endfunction()

# Whether one of the libraries, or one of ours that they link, has threads: it then links Threads::Threads.
function(potok_has_threads result)
  set(pending ${ARGN})
  set(seen)
  set(${result} FALSE PARENT_SCOPE)
  while(pending)
    list(POP_FRONT pending library)
    if(library STREQUAL "Threads::Threads")
      set(${result} TRUE PARENT_SCOPE)
      return()
    endif()
    if(library MATCHES "^potok_" AND NOT library IN_LIST seen)
      list(APPEND seen ${library})
      foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
        get_target_property(linked ${library} ${property})
        if(linked)
          string(REGEX REPLACE "\\$<LINK_ONLY:([^>]*)>" "\\1" linked "${linked}")
          list(APPEND pending ${linked})
        endif()
      endforeach()
    endif()
  endwhile()
endfunction()

function(potok_target name)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  if(POTOK_TSAN)
    target_compile_options(${name} PRIVATE -fsanitize=thread)
  endif()
  if(POTOK_PCH)
    target_precompile_headers(${name} REUSE_FROM potok_pch)
    target_compile_options(${name} PRIVATE -fpch-preprocess)
  endif()
endfunction()
