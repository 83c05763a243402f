# cmake -DSOURCE=FILE -P must_not_compile.cmake -- COMPILER FLAGS...
# Succeeds when the compiler rejects FILE with a message that matches the regular expression in FILE's first line,
# `// expect: REGEX`.
set(command)
foreach(i RANGE ${CMAKE_ARGC})
  if(DEFINED after_dashes AND i LESS CMAKE_ARGC)
    list(APPEND command ${CMAKE_ARGV${i}})
  elseif("${CMAKE_ARGV${i}}" STREQUAL "--")
    set(after_dashes TRUE)
  endif()
endforeach()

file(STRINGS ${SOURCE} first_line LIMIT_COUNT 1)
if(NOT first_line MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${SOURCE}: the first line must be `// expect: REGEX`")
endif()
set(expected "${CMAKE_MATCH_1}")

execute_process(COMMAND ${command} -fsyntax-only ${SOURCE} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, and must not")
elseif(NOT said MATCHES "error: [^\n]*(${expected})")
  message(FATAL_ERROR "${SOURCE} is rejected, but not with an error that matches `${expected}`:\n${said}")
endif()
