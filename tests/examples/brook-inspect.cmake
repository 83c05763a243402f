# Runs brook-inspect on a snapshot, on damaged ones and on none, and checks what it prints and how it ends.
#
#   cmake -DPROGRAM=path/of/brook-inspect -DSOURCE_DIR=root/of/the/project -DWORK_DIR=some/folder -P brook-inspect.cmake
cmake_minimum_required(VERSION 3.23)

set(kept ${SOURCE_DIR}/tests/data/v1.brook)
file(MAKE_DIRECTORY ${WORK_DIR})

# run(STATUS ARGUMENT...): runs the program and checks its exit status. Sets out and err.
macro(run status)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE err RESULT_VARIABLE result TIMEOUT 60)
  if(NOT result STREQUAL "${status}")
    message(SEND_ERROR "brook-inspect ${ARGN}: exit status ${result} instead of ${status}\n${out}${err}")
  endif()
endmacro()

# Checks that `text` contains `part`.
function(expect text part)
  string(FIND "${text}" "${part}" place)
  if(place EQUAL -1)
    message(SEND_ERROR "expected <${part}> in\n${text}")
  endif()
endfunction()

# Checks that `text` is what a file of examples/expected holds.
function(expect_file text name)
  file(READ ${SOURCE_DIR}/examples/expected/${name} expected)
  if(NOT text STREQUAL expected)
    message(SEND_ERROR "the output differs from examples/expected/${name}:\n${text}")
  endif()
endfunction()

run(0 --entries=3 ${kept})
expect_file("${out}" brook-inspect.txt)
run(0 --json --entries ${kept})
expect_file("${out}" brook-inspect.json)
string(JSON kind GET "${out}" objects 3 kind)
expect("${kind}" list)
run(0 ${SOURCE_DIR}/tests/data/v2.brook)
expect("${out}" "\"ticks\"  channel of i32, ")
expect("${out}" "  options     spin_us=20\n")
expect("${out}" "  options     spin_us=1 shards=16\n")

# What could be read before the damage is shown.
execute_process(COMMAND head -c 700 ${kept} OUTPUT_FILE ${WORK_DIR}/short.brook)
run(1 ${WORK_DIR}/short.brook)
expect("${out}" "\"orders\"  stream of string, 6 entries of 7, closed")
expect("${out}" "NOT WHOLE")
expect("${out}" "damaged: at byte 690: the snapshot ends early")
run(1 --json ${WORK_DIR}/short.brook)
string(JSON at GET "${out}" damage_at)
expect("${at}" 690)
execute_process(COMMAND sed "s/coffee/coffin/" ${kept} OUTPUT_FILE ${WORK_DIR}/changed.brook)
run(1 ${WORK_DIR}/changed.brook)
expect("${out}" "the checksum of a piece is wrong")
file(WRITE ${WORK_DIR}/other.brook "something else")
run(1 ${WORK_DIR}/other.brook)
expect("${out}" "other.brook: 14 bytes\n")
expect("${out}" "damaged: at byte 0: this is not a snapshot")
run(1 --json ${WORK_DIR}/other.brook)
string(JSON version ERROR_VARIABLE missing GET "${out}" version)
expect("${missing}" "version")

# What was not read is not told.
execute_process(COMMAND head -c 900 ${SOURCE_DIR}/tests/data/v2.brook OUTPUT_FILE ${WORK_DIR}/cut.brook)
run(1 ${WORK_DIR}/cut.brook)
expect("${out}" "NOT WHOLE")
if(out MATCHES "0 entries of 0" OR out MATCHES "idempotency_keys=0")
  message(SEND_ERROR "told though it was not read:\n${out}")
endif()

# JSON is UTF-8, whatever a name is.
execute_process(COMMAND sh -c "f=$(printf 'n\\340\\200\\257.brook') && cp '${kept}' \"$f\" && '${PROGRAM}' --json \"$f\""
                WORKING_DIRECTORY ${WORK_DIR} OUTPUT_VARIABLE out)
expect("${out}" "\\u00e0\\u0080\\u00af")

run(2 ${SOURCE_DIR}/tests/data/v1.journal/2.journal)
expect("${err}" "a journal's records")
run(2 ${SOURCE_DIR}/tests/data/v1.journal)
expect("${err}" "N.snapshot")
if(EXISTS /dev/full)
  execute_process(COMMAND ${PROGRAM} ${kept} OUTPUT_FILE /dev/full ERROR_VARIABLE err RESULT_VARIABLE result)
  if(NOT result EQUAL 2)
    message(SEND_ERROR "the output was lost, and the exit status is ${result}")
  endif()
endif()

run(2 ${WORK_DIR}/is-not-there.brook)
expect("${err}" "opening")
run(0 --help)
expect("${out}" "usage: brook-inspect")
run(2)
expect("${err}" "usage: brook-inspect")
run(2 --unknown ${kept})
expect("${err}" "not understood: --unknown")
run(2 --entries=x ${kept})
