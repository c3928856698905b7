# ./dev fuzz [TARGET...] [--seconds N]: builds the libFuzzer targets with clang and runs each for
# a while (default 60 s) from its committed corpus. New inputs gather in build/fuzz/corpus; a
# crash leaves its input in build/fuzz/crashes and ends the run with 1. The canary runs first: a
# fuzzer that cannot find it finds nothing.
# shellcheck shell=bash

fuzz_packages=(clang-14 libclang-rt-14-dev)

# fuzz_target NAME SECONDS: true where the target survived.
fuzz_target() {
  local name=$1 seconds=$2 corpus=build/fuzz/corpus/$1
  mkdir -p "$corpus" build/fuzz/crashes
  "build/fuzz/bin/gauger_fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=65536 -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$name-" \
    "$corpus" "tests/fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1
}

run_fuzz() {
  local seconds=60 targets=() known target
  while [ $# -gt 0 ]; do
    case "$1" in
      --seconds) seconds=${2:?--seconds needs a number} && shift 2 ;;
      *) targets+=("$1") && shift ;;
    esac
  done
  # shellcheck disable=SC2154  # ./dev has the lists
  install_packages "${packages[@]}" "${test_packages[@]}" "${fuzz_packages[@]}"
  say "building build/fuzz"
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  cmake -S . -B build/fuzz -G Ninja "${launcher[@]}" \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_COMPILER=clang++-14 -DGAUGER_FUZZ=ON \
    -DGAUGER_SANITIZE=address,undefined,fuzzer-no-link >/dev/null
  ninja -C build/fuzz gauger_fuzzers
  known=$(find build/fuzz/bin -name 'gauger_fuzz_*' -printf '%f\n' | sed 's/gauger_fuzz_//' | sort)
  [ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(grep -v '^canary$' <<<"$known")

  if fuzz_target canary 60; then
    echo "dev fuzz: the canary was not found within 60 s: fuzzing does not work here" >&2
    return 1
  fi
  for target in "${targets[@]}"; do
    if ! grep -qx "$target" <<<"$known"; then
      echo "dev fuzz: no target '$target'; there are: ${known//$'\n'/ }" >&2
      return 2
    fi
    say "$target, $seconds s"
    if ! fuzz_target "$target" "$seconds"; then
      tail -n 40 "build/fuzz/$target.log" >&2
      echo "dev fuzz: $target failed; its input is in build/fuzz/crashes" >&2
      return 1
    fi
    grep -E 'stat::number_of_executed_units|DONE' "build/fuzz/$target.log" | tail -n 2
  done
}
