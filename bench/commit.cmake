# Writes the commit of FOLDER into the header FILE, which it leaves alone when nothing has changed.
execute_process(
  COMMAND git -C ${FOLDER} describe --always --dirty --tags
  OUTPUT_VARIABLE commit
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
set(text "#define BROOK_BENCH_COMMIT \"${commit}\"\n")
if(EXISTS ${FILE})
  file(READ ${FILE} before)
endif()
if(NOT "${before}" STREQUAL "${text}")
  file(WRITE ${FILE} "${text}")
endif()
