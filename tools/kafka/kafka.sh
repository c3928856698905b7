#!/usr/bin/env bash
# One Apache Kafka broker for tests and hands: KRaft, one node, loopback only. Several may run
# at once, each in its own directory. `kafka.sh help` lists what it does.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
jars=$root/.gauger/kafka/jars
dir=$root/.gauger/kafka/broker
start_seconds_max=120
unresolved=3  # the exit code that tests take for "skip me"

usage() {
  cat <<'TEXT'
usage: kafka.sh COMMAND [--dir DIR]
  start                        start a broker on free ports (or on the data of a stopped one),
                               wait until it is ready, print its address
  stop [--keep]                end it and remove its directory (--keep: end it in order, keep
                               the data and the ports)
  kill                         kill -9; the data stays and `start` goes on with it
  restart                      end it in order and start it on the same data
  status                       print its address; exit 1 when none runs
  create-topic NAME [PARTITIONS [KEY=VALUE...]]
  delete-topic NAME
  resolve                      only fetch the jars
DIR is .gauger/kafka/broker unless given; DIR/bootstrap holds the address while it runs.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the jars cannot be resolved.
TEXT
}

fail() {
  echo "kafka.sh: $1" >&2
  exit "${2:-1}"
}

# Fetches the jars that pom.xml pins, once per content of pom.xml.
resolve() {
  local wanted
  wanted=$(sha256sum <"$here/pom.xml")
  resolved "$wanted" && return
  command -v java >/dev/null || fail "no java: install default-jre-headless" $unresolved
  command -v mvn >/dev/null || fail "no mvn: install maven" $unresolved
  mkdir -p "$root/.gauger/kafka"
  # Two tests may come here at the same time.
  (
    flock 9
    resolved "$wanted" || fetch_jars "$wanted"
  ) 9>"$root/.gauger/kafka/resolve.lock"
}

resolved() { [ "$(cat "$jars/pom.sha256" 2>/dev/null)" = "$1" ]; }

fetch_jars() {
  local log=$root/.gauger/kafka/resolve.log
  echo "kafka.sh: resolving Apache Kafka's jars with Maven" >&2
  rm -rf "$jars"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$jars" >"$log" 2>&1 </dev/null || {
    grep -m 3 ERROR "$log" >&2 || true
    fail "the jars of tools/kafka/pom.xml cannot be resolved by Maven" $unresolved
  }
  echo "$1" >"$jars/pom.sha256"
}

# java_run HEAP CLASS ARGUMENT...: becomes that program. Serial collection suits a small heap
# on a machine that the tests need for themselves.
java_run() {
  local heap=$1
  shift
  exec java -Xms64m -Xmx"$heap" -XX:+UseSerialGC -Djava.awt.headless=true \
    -Dlog4j.configuration="file:$here/log4j.properties" -Dkafka.log.file="${log_file:-/dev/null}" \
    -cp "$jars/*" "$@"
}

# The process of this directory, if it lives. The command line is asked too: ids are used anew.
pid_of_broker() {
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "kafka.Kafka $dir/server.properties" ||
    return 1
  echo "$pid"
}

# Below the range from which the kernel takes ports for outgoing connections, so that a broker
# that is down finds its ports free when it comes back.
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
      echo "$port"
      return
    }
  done
  fail "no free port on 127.0.0.1 between 20000 and 32000"
}

write_properties() {
  local port controller_port
  port=$(free_port)
  controller_port=$(free_port)
  mkdir -p "$dir/data"
  cat >"$dir/server.properties" <<TEXT
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=PLAINTEXT://127.0.0.1:$port
log.dirs=$dir/data
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=2
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
# Compaction and deletion happen within a test's patience.
log.cleaner.backoff.ms=200
log.cleaner.dedupe.buffer.size=16777216
log.initial.task.delay.ms=500
log.retention.check.interval.ms=500
log.retention.ms=-1
log.segment.delete.delay.ms=1000
TEXT
  echo "127.0.0.1:$port" >"$dir/address"
}

format_data() {
  local cluster_id
  cluster_id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
  (java_run 128m kafka.tools.StorageTool format "--cluster-id=$cluster_id" \
    --config "$dir/server.properties") >"$dir/format.log" 2>&1 ||
    fail "formatting $dir/data failed: $(tail -n 1 "$dir/format.log")"
}

# Starts the process; 0 when it is ready, 1 when it ended or did not come up in time.
launch() {
  rm -f "$dir/broker.log"
  (
    log_file=$dir/broker.log
    java_run 512m kafka.Kafka "$dir/server.properties"
  ) >"$dir/output.log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  local pid=$!
  disown "$pid"
  local deadline=$((SECONDS + start_seconds_max))
  while [ "$SECONDS" -lt "$deadline" ]; do
    grep -q 'Kafka Server started' "$dir/broker.log" 2>/dev/null && return 0
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null
  return 1
}

start() {
  if pid_of_broker >/dev/null; then
    cat "$dir/bootstrap"
    return
  fi
  resolve
  mkdir -p "$dir"
  local fresh=false
  [ -f "$dir/address" ] || fresh=true
  for attempt in 1 2 3; do
    if $fresh; then
      rm -rf "$dir/data"
      write_properties
      format_data
    fi
    if launch; then
      cp "$dir/address" "$dir/bootstrap"
      cat "$dir/bootstrap"
      return
    fi
    # Between looking for a port and binding it another process may have taken it.
    grep -q 'Address already in use' "$dir/broker.log" "$dir/output.log" 2>/dev/null || break
    echo "kafka.sh: a port was taken, attempt $attempt" >&2
    sleep 1
  done
  tail -n 5 "$dir/broker.log" "$dir/output.log" >&2 2>/dev/null || true
  fail "the broker in $dir did not start; see $dir/broker.log"
}

# gone SECONDS: waits that long for the broker's end. Where nobody reaps it, it stays a zombie,
# which has no command line.
gone() {
  for _ in $(seq $(($1 * 20))); do
    pid_of_broker >/dev/null || return 0
    sleep 0.05
  done
  return 1
}

# end SIGNAL: sends it and waits until the process is gone.
end() {
  local pid
  rm -f "$dir/bootstrap"
  pid=$(pid_of_broker) || return 0
  kill -"$1" "$pid"
  gone 10 && return
  kill -9 "$pid"
  gone 10 || fail "process $pid does not end"
}

stop() {
  if [ "${1:-}" = --keep ]; then
    end TERM
    return
  fi
  # The data goes anyway: no orderly shutdown is needed.
  end KILL
  # Never more than what this script made, whatever --dir says.
  [ -f "$dir/server.properties" ] || return 0
  rm -rf "$dir/data"
  rm -f "$dir"/{server.properties,address,pid,broker.log,output.log,format.log}
  rmdir "$dir" 2>/dev/null || true
}

address() {
  pid_of_broker >/dev/null || fail "no broker runs in $dir"
  cat "$dir/bootstrap"
}

topics() {
  local server
  server=$(address) || exit 1
  (java_run 128m org.apache.kafka.tools.TopicCommand --bootstrap-server "$server" "$@")
}

create_topic() {
  local name=${1:?} partitions=${2:-1} configs=() setting
  shift $(($# < 2 ? $# : 2))
  for setting in "$@"; do configs+=(--config "$setting"); done
  topics --create --topic "$name" --partitions "$partitions" --replication-factor 1 \
    "${configs[@]}"
}

arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    --dir)
      [ -n "${2:-}" ] || fail "--dir needs a directory" 2
      dir=$2
      shift
      ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
mkdir -p "$(dirname "$dir")"
dir=$(cd "$(dirname "$dir")" && pwd)/$(basename "$dir")
set -- "${arguments[@]}"
command=${1:-help}
[ $# -gt 0 ] && shift
case "$command" in
  start) start ;;
  stop) stop "$@" ;;
  kill) end KILL ;;
  restart)
    end TERM
    start
    ;;
  status) address ;;
  resolve) resolve ;;
  create-topic)
    [ $# -gt 0 ] || fail "create-topic needs a name" 2
    create_topic "$@"
    ;;
  delete-topic)
    [ $# -eq 1 ] || fail "delete-topic needs a name" 2
    topics --delete --topic "$1"
    ;;
  help | --help | -h) usage ;;
  *)
    usage >&2
    fail "unknown command '$command'" 2
    ;;
esac
