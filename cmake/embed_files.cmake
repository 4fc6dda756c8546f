# Writes OUTPUT: the FILES as C++ (see embed.cmake).
set(code "// Made by CMake.\n#include \"server/http/embedded_file.h\"\n\nnamespace potok::server {\n\n")
string(APPEND code "const std::vector<EmbeddedFile>& ${NAME}() {\n  static const std::vector<EmbeddedFile> kFiles = {\n")
foreach(file ${FILES})
  cmake_path(GET file FILENAME base)
  file(READ ${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  # A hexadecimal escape goes on as long as digits follow: each byte is a literal of its own.
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1\"\"" bytes "${bytes}")
  string(APPEND code "      {\"${base}\", std::string(\"${bytes}\", ${size})},\n")
endforeach()
string(APPEND code "  };\n  return kFiles;\n}\n\n}  // namespace potok::server\n")
file(WRITE ${OUTPUT} "${code}")
