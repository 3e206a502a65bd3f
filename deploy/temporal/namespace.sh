#!/bin/sh
# Creates the namespace and the search attributes that opsmend filters incidents by (opsmend.workflows.search_attributes).
# Run on every start: what is there already is left alone. HISTORY_KEPT is how long closed incidents stay readable.
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${HISTORY_KEPT:?}"

# Until it succeeds, for two minutes; its last complaint is shown.
patiently() {
    tries=60
    until complaint=$("$@" 2>&1); do
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ]; then
            echo "$complaint" >&2
            exit 1
        fi
        sleep 2
    done
}

patiently temporal operator cluster health
if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$HISTORY_KEPT"
fi

# The server knows a new namespace only after its cache has turned over, some ten seconds later.
patiently temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"
known=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE")
for name in \
    OpsmendTarget \
    OpsmendStatus \
    OpsmendOutcome \
    OpsmendSeverity \
    OpsmendAutonomy \
    OpsmendSource \
    OpsmendTier; do
    if ! echo "$known" | grep -q -w "$name"; then
        patiently temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type Keyword
    fi
done
echo "namespace $TEMPORAL_NAMESPACE is ready"
