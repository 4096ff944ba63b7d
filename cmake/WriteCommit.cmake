# Writes HEADER with the commit that is checked out in SOURCE, as LOOPBENCH_COMMIT: twelve digits, with
# "-dirty" behind them when files differ from it, or "unknown".
execute_process(COMMAND git describe --always --abbrev=12 --dirty --exclude=*
                WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
    set(commit unknown)
endif()
set(text "#pragma once\n#define LOOPBENCH_COMMIT \"${commit}\"\n")
if(EXISTS ${HEADER})
    file(READ ${HEADER} old)
endif()
if(NOT text STREQUAL "${old}")
    file(WRITE ${HEADER} "${text}")
endif()
