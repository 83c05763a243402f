# cmake -DPROGRAM=… -DEXPECTED=… -P prints.cmake: succeeds when PROGRAM does, and prints what the file EXPECTED holds.
execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE status OUTPUT_VARIABLE printed)
file(READ ${EXPECTED} expected)
if(NOT status EQUAL 0 OR NOT printed STREQUAL expected)
  message(FATAL_ERROR "exit status ${status}, printed:\n${printed}\nexpected:\n${expected}")
endif()
