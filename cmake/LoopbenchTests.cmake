# How a test executable is made known to ctest.

include(GoogleTest)

# The tests labelled `threads`: what is built for ThreadSanitizer.
add_custom_target(loopbench-thread-tests)

# loopbench_discover_tests(TARGET [PREFIX PREFIX] [LABEL LABEL] [TIMEOUT SECONDS]
#                          [ENVIRONMENT NAME=VALUE] [SERIAL])
#
# Each test of the GoogleTest executable TARGET becomes a test of ctest, several times with several
# prefixes. With the label `threads` they also run under ThreadSanitizer. SERIAL is for tests that
# measure: no other runs beside them. With a sanitizer, whose start takes longer than most tests, all the
# others run in eight processes instead of one for each test.
function(loopbench_discover_tests target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "PREFIX;LABEL;TIMEOUT;ENVIRONMENT" "")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    # What may take long starts first, so that nothing waits for it at the end.
    set(properties TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT})
    if(arg_SERIAL)
        list(APPEND properties RUN_SERIAL TRUE)
    endif()
    if(arg_LABEL)
        list(APPEND properties LABELS ${arg_LABEL})
    endif()
    if(arg_ENVIRONMENT)
        list(APPEND properties ENVIRONMENT ${arg_ENVIRONMENT})
    endif()
    if(arg_LABEL STREQUAL threads)
        add_dependencies(loopbench-thread-tests ${target})
    endif()
    if(LOOPBENCH_SANITIZE AND NOT arg_SERIAL)
        foreach(shard RANGE 7)
            set(name ${arg_PREFIX}${target}.${shard})
            add_test(NAME ${name} COMMAND ${target} --gtest_brief=1)
            set_tests_properties(${name} PROPERTIES ${properties} TIMEOUT 300 ENVIRONMENT
                "GTEST_TOTAL_SHARDS=8;GTEST_SHARD_INDEX=${shard};${arg_ENVIRONMENT}")
        endforeach()
        return()
    endif()
    # A sanitized executable on a busy machine may need more than the default five seconds to start.
    gtest_discover_tests(${target} TEST_PREFIX "${arg_PREFIX}" DISCOVERY_TIMEOUT 60
                         TEST_LIST "${target}${arg_PREFIX}_TESTS" PROPERTIES ${properties})
endfunction()
