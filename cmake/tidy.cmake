# clang-tidy over everything that runs in use: `cmake --build BUILD --target tidy`; `--target tidy_NAME` for one target of CMake.
#
# The files of a target are read as one translation unit, since nearly all the time goes into headers that they share: the
# standard library, Abseil, gRPC. So names in the anonymous namespaces of one target have to differ. Ninja keeps a stamp for what
# was clean, and a list of the files that were read, by which it knows what to look at again.
find_program(CLANG_TIDY clang-tidy-14 REQUIRED)
add_custom_target(tidy)
# In a regular expression the path of the tree stands for itself.
string(REGEX REPLACE "([][+.*()^$?|\\\\])" "\\\\\\1" POTOK_ROOT_PATTERN ${PROJECT_SOURCE_DIR})

# potok_tidy(NAME [HEADER header])
#
# Adds the target `tidy_NAME`, if NAME is declared in one of the four top folders. Files made by the build are left out. HEADER is
# read before all others: the one that is precompiled elsewhere.
function(potok_tidy name)
  cmake_parse_arguments(ARG "" "HEADER" "" ${ARGN})
  if(NOT CMAKE_CURRENT_SOURCE_DIR MATCHES "^${POTOK_ROOT_PATTERN}/(common|server|agent|client)(/|$)")
    return()
  endif()
  set(unit ${CMAKE_BINARY_DIR}/tidy/${name})
  set(lines "// NOLINTBEGIN(bugprone-suspicious-include): this is what it is for.\n")
  get_target_property(sources ${name} SOURCES)
  foreach(source ${ARG_HEADER} ${sources})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    cmake_path(IS_PREFIX CMAKE_BINARY_DIR ${source} made)
    if(NOT made)
      string(APPEND lines "#include \"${source}\"\n")
    endif()
  endforeach()
  file(GENERATE OUTPUT ${unit}.cc CONTENT "${lines}// NOLINTEND(bugprone-suspicious-include)\n")

  # What others wrote is included as of the system: of it nothing is reported.
  set(defines "$<TARGET_PROPERTY:${name},COMPILE_DEFINITIONS>")
  set(folders "$<TARGET_PROPERTY:${name},INCLUDE_DIRECTORIES>")
  set(folders "$<FILTER:${folders},EXCLUDE,^(/usr/include|${POTOK_ROOT_PATTERN})$>")
  add_custom_command(
    OUTPUT ${unit}.stamp
    # clang-tidy drops -MD and -MT, but not what is meant for the preprocessor.
    COMMAND ${CLANG_TIDY} --quiet --config-file=${PROJECT_SOURCE_DIR}/.clang-tidy ${unit}.cc --
      -std=c++20 -pthread "$<TARGET_PROPERTY:potok_warnings,INTERFACE_COMPILE_OPTIONS>"
      -Wp,-dependency-file,${unit}.d,-MT,${unit}.stamp,-sys-header-deps
      -fno-caret-diagnostics  # else it counts what it does not report
      "$<$<BOOL:${defines}>:-D$<JOIN:${defines},;-D>>" -I${PROJECT_SOURCE_DIR}
      "$<$<BOOL:${folders}>:-isystem$<JOIN:${folders},;-isystem>>"
    COMMAND ${CMAKE_COMMAND} -E touch ${unit}.stamp
    DEPENDS ${unit}.cc ${PROJECT_SOURCE_DIR}/.clang-tidy potok_proto_files
    DEPFILE ${unit}.d
    COMMENT "clang-tidy over ${name}"
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(tidy_${name} DEPENDS ${unit}.stamp)
  add_dependencies(tidy tidy_${name})
endfunction()
