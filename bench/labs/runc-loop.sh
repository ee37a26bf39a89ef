#!/bin/sh
# Sixteen containers as a good engineer would loop over them: mount, veth, runc. bench/runc-loop.ts has written the bundles.
#   runc-loop.sh up sequential|parallel DIRECTORY
#   runc-loop.sh down DIRECTORY
# In DIRECTORY: `image` (a link to the root file system), and for each container a bundle with config.json.
set -eu

count=16
bridge=cloison-bench.bridge

start_one() {
  bundle=$1/box$2
  namespace=cloison-bench.box$2
  mkdir -p "$bundle/upper" "$bundle/work" "$bundle/root"
  mount -t overlay overlay -o "nosuid,nodev,lowerdir=$1/image,upperdir=$bundle/upper,workdir=$bundle/work" "$bundle/root"
  ip netns add "$namespace"
  ip -n "$bridge" -batch - <<END
link add vif$2 type veth peer name eth0 netns $namespace
link set vif$2 master br0 up
END
  ip -n "$namespace" -batch - <<END
link set lo up
address add 10.65.0.$2/24 dev eth0
link set eth0 up
route add default via 10.65.0.254
END
  runc --root "$1/runc" run --detach --bundle "$bundle" "box$2" </dev/null >"$bundle/log" 2>&1
}

case $1 in
  up)
    ip netns add "$bridge"
    ip -n "$bridge" link add br0 up type bridge
    i=1
    pids=
    while [ "$i" -le "$count" ]; do
      if [ "$2" = parallel ]; then
        start_one "$3" "$i" &
        pids="$pids $!"
      else
        start_one "$3" "$i"
      fi
      i=$((i + 1))
    done
    for pid in $pids; do wait "$pid"; done
    ;;
  down)
    i=1
    while [ "$i" -le "$count" ]; do
      bundle=$2/box$i
      runc --root "$2/runc" delete --force "box$i" 2>/dev/null || :
      umount --lazy "$bundle/root" 2>/dev/null || :
      rm -rf "$bundle/upper" "$bundle/work" "$bundle/root"
      ip netns del "cloison-bench.box$i" 2>/dev/null || :
      i=$((i + 1))
    done
    ip netns del "$bridge" 2>/dev/null || :
    ;;
esac
