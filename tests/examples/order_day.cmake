# Runs order_day on a good file, on broken ones and on none, and checks what it prints and how it ends.
#
#   cmake -DPROGRAM=path/of/order_day -DSOURCE_DIR=root/of/the/project -DWORK_DIR=some/folder -P order_day.cmake
cmake_minimum_required(VERSION 3.23)

set(day ${SOURCE_DIR}/examples/data/online-retail-2010-12-01.csv)
set(header "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
set(good "536365,71053,\"LANTERN, WHITE\",6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom\n")
file(MAKE_DIRECTORY ${WORK_DIR})

# run(STATUS ARGUMENT...): runs the program and checks its exit status. Sets out and err, and stable, which is out up to
# what differs from run to run. Standard input is the file in `input`.
set(input /dev/null)
macro(run status)
  execute_process(
    COMMAND ${PROGRAM} ${ARGN}
    INPUT_FILE ${input}
    OUTPUT_VARIABLE out
    ERROR_VARIABLE err
    RESULT_VARIABLE result
    TIMEOUT 60)
  if(NOT result STREQUAL "${status}")
    message(SEND_ERROR "order_day ${ARGN}: exit status ${result} instead of ${status}\n${out}${err}")
  endif()
  string(REGEX REPLACE "\n---- what follows.*" "" stable "${out}")
endmacro()

# Checks that `text` contains `part`, or is empty when `part` is.
function(expect text part)
  string(FIND "${text}" "${part}" place)
  if(place EQUAL -1 OR (part STREQUAL "" AND NOT text STREQUAL ""))
    message(SEND_ERROR "expected <${part}> in\n${text}")
  endif()
endfunction()

# run_text(STATUS TEXT): runs the program on a file with this text.
macro(run_text status text)
  file(WRITE ${WORK_DIR}/input.csv "${text}")
  run(${status} ${WORK_DIR}/input.csv)
endmacro()

# The real day: what it prints is known, wherever it comes from and however often it runs.
file(READ ${SOURCE_DIR}/examples/expected/order_day.txt expected)
foreach(round RANGE 1 5)
  run(0 ${day})
  expect("${err}" "")
  if(NOT stable STREQUAL expected)
    message(SEND_ERROR "the output differs from examples/expected/order_day.txt:\n${stable}")
  endif()
endforeach()
expect("${out}" "Throughput")
expect("${out}" "p50       p90       p99       max")
set(input ${day})
run(0 -)
set(input /dev/null)
string(REPLACE "online-retail-2010-12-01.csv" "standard input" expected "${expected}")
if(NOT stable STREQUAL expected)
  message(SEND_ERROR "standard input gives another output:\n${stable}")
endif()
run(0 --rejected ${day})
expect("${out}" "  line    2408  shipping  quantity does not fit the invoice\n")

# Broken lines are named, the rest is processed.
run_text(1 "${header}${good}536366,1,X,six,2010-12-01 08:28:00,1,17850,France\nshort\n536367,1,\"X,6,2010-12-01 08:28:00,1,1,France\n${good}")
expect("${err}" "order_day: ${WORK_DIR}/input.csv, line 3: Quantity 'six' is not a whole number\n")
expect("${err}" "order_day: ${WORK_DIR}/input.csv, line 4: 1 column instead of 8\n")
expect("${err}" "order_day: ${WORK_DIR}/input.csv, line 5: a quoted field is not closed where it should be")
expect("${stable}" "order lines            2\n")
expect("${stable}" "broken lines           3\n")
expect("${stable}" "ok: every line once")

# Other line ends, a byte order mark, no last line end, an empty line.
string(ASCII 239 187 191 mark)
string(REPLACE "\n" "\r\n" crlf "${mark}${header}${good}\n${good}")
string(REGEX REPLACE "\r\n$" "" crlf "${crlf}")
run_text(0 "${crlf}")
expect("${stable}" "order lines            2\n")

# Nothing to process.
run(2 ${WORK_DIR}/is-not-there.csv)
expect("${err}" "order_day: ${WORK_DIR}/is-not-there.csv: cannot open it: No such file or directory\n")
run(2 ${WORK_DIR})
expect("${err}" "it is a folder")
run(2 -)
expect("${err}" "standard input: there is no order line to process")
run_text(2 "")
expect("${err}" "there is no order line to process")
run_text(2 "${header}")
expect("${err}" "there is no order line to process")
run_text(2 "Invoice,Stock\n1,2\n")
expect("${err}" "line 1: the header is not InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
if(err MATCHES "there is no order line")
  message(SEND_ERROR "one message about a wrong header is enough:\n${err}")
endif()
run_text(2 "${header}536366,1,X,six,2010-12-01 08:28:00,1,17850,France\n")
expect("${err}" "line 2: Quantity 'six' is not a whole number")
expect("${out}" "")

# The command line.
run(0 --help)
expect("${out}" "usage: order_day")
expect("${err}" "")
run(2 --unknown)
expect("${err}" "unknown option '--unknown'")
run(2 ${day} ${day})
expect("${err}" "one file at a time")
