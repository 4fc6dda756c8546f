# potok_embed(NAME file...): files as constants in a program, so that it needs none of them at run time.
#
# Makes NAME.cc in the build folder, which defines `const std::vector<EmbeddedFile>& NAME()` of namespace potok::server
# (server/http/embedded_file.h), by the files' names without folders. Made again when a file changes.
function(potok_embed name)
  set(files)
  foreach(file ${ARGN})
    cmake_path(ABSOLUTE_PATH file)
    list(APPEND files ${file})
  endforeach()
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} "-DFILES=${files}" -DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/${name}.cc
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    VERBATIM)
endfunction()
