#!/usr/bin/env bash
# A stand-in for docker.io/library/debian:trixie-slim where no image registry is
# reachable: the same suite and variant from Debian's own packages. Needs root.
set -euo pipefail
image=docker.io/library/debian:trixie-slim
engine=${ENGINE:-podman}

"$engine" image inspect "$image" >/dev/null 2>&1 && exit 0
timeout 120 "$engine" pull --quiet "$image" >/dev/null 2>&1 && exit 0

root=$(mktemp -d)
trap 'umount -q "$root/proc" "$root/sys" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates trixie "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
umount -q "$root/proc" "$root/sys" 2>/dev/null || true
tar -C "$root" --one-file-system --exclude='./var/cache/apt/archives/*.deb' -c . \
  | "$engine" import - "$image"
