# SPDX-License-Identifier: MIT
# Runs after a test executable is linked and writes one ctest case per test case of it. Catch2's own script
# loses tests whose names hold an unbalanced bracket, as in "runs blocks [first, last)".
#   cmake -DEXECUTABLE=... -DFOLDER=... -DOUTPUT=... "-DLIST_ARGUMENTS=..." -P discover_tests.cmake
function(list_names spec result)
  execute_process(COMMAND "${EXECUTABLE}" ${spec} ${LIST_ARGUMENTS} OUTPUT_VARIABLE names ERROR_VARIABLE errors
                  RESULT_VARIABLE code)
  # Catch2 2 returns the number of tests.
  if(NOT code MATCHES "^[0-9]+$" OR (code GREATER 0 AND names STREQUAL ""))
    message(FATAL_ERROR "${EXECUTABLE} cannot list its tests (${code}):\n${names}${errors}")
  endif()
  # What CMake's lists would take apart is encoded until each name stands alone.
  string(REPLACE "\\" "<backslash>" names "${names}")
  string(REPLACE "[" "<left>" names "${names}")
  string(REPLACE "]" "<right>" names "${names}")
  string(REPLACE ";" "<semicolon>" names "${names}")
  string(REGEX MATCHALL "[^\n]+" names "${names}")
  set(${result} "${names}" PARENT_SCOPE)
endfunction()

set(script "")
foreach(label IN ITEMS fast slow)
  if(label STREQUAL "fast")
    set(spec "~[slow]")
    set(timeout 300)
  else()
    set(spec "[slow]")
    set(timeout 1800)
  endif()
  list_names("${spec}" names)
  foreach(name IN LISTS names)
    # Characters that Catch2 reads as syntax of a test specification are escaped for it.
    set(pattern "${name}")
    string(REPLACE "<backslash>" "\\\\" pattern "${pattern}")
    string(REPLACE "," "\\," pattern "${pattern}")
    string(REPLACE "<left>" "\\[" pattern "${pattern}")
    string(REPLACE "<right>" "\\]" pattern "${pattern}")
    string(REPLACE "<semicolon>" ";" pattern "${pattern}")
    string(REPLACE "<backslash>" "\\" name "${name}")
    string(REPLACE "<left>" "[" name "${name}")
    string(REPLACE "<right>" "]" name "${name}")
    string(REPLACE "<semicolon>" ";" name "${name}")
    set(title "[==[${FOLDER}: ${name}]==]")
    string(APPEND script "add_test(${title} [==[${EXECUTABLE}]==] [==[${pattern}]==])\n"
                         "set_tests_properties(${title} PROPERTIES LABELS \"${label};${FOLDER}\" TIMEOUT ${timeout})\n")
  endforeach()
endforeach()
file(WRITE "${OUTPUT}" "${script}")
