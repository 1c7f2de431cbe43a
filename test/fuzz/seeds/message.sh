# message.sh text|json|wire DIR: the golden documents, each behind the byte that chooses its message type:
# 0 statistics, 1 anomalies, 2 lineage graph, 4 schema
set -e
golden=test/data/golden
out=${2:?}

seed() {
	{
		printf "\\$1"
		head -c 8191 "$2"
	} >"$out/$(echo "$2" | tr / _)"
}

case $1 in
text)
	for f in "$golden"/schema_text/*.pbtxt "$golden"/schema_text/malformed/*.pbtxt "$golden"/schema/*.pbtxt; do seed 004 "$f"; done
	for f in "$golden"/statistics/*.pbtxt; do seed 000 "$f"; done
	for f in "$golden"/anomalies/*/expected_anomalies.pbtxt; do seed 001 "$f"; done
	printf '\002artifacts { id: 1 properties { key: "a" value { struct_value { fields { key: "k" value { list_value { values { null_value: NULL_VALUE } values { number_value: 1.5 } } } } } } } } artifact_types { properties { key: "p" value: INT } }' >"$out/lineage"
	printf '\004feature {\n}\n# wire: CgQwETIA\n' >"$out/exact"
	;;
json)
	for f in "$golden"/schema_text/*.json; do seed 004 "$f"; done
	printf '\002{"artifacts":[{"id":"1","properties":{"a":{"structValue":{"k":[null,1.5,{"x":true}]}},"b":{"proto_value":{"@type":"a/google.protobuf.Struct","value":{"k":"v"}}}}}],"artifact_types":[{"properties":{"p":"INT"}}]}' >"$out/lineage"
	;;
wire)
	for f in "$golden"/schema_text/*.pb; do seed 004 "$f"; done
	printf '\002\012\013\020\001\042\007\012\001a\022\002\010\005' >"$out/lineage"
	;;
esac
