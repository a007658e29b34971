{{- define "lavit.name" -}}
{{- if contains "lavit" .Release.Name }}{{ .Release.Name | trunc 53 | trimSuffix "-" }}{{ else }}{{ printf "%s-lavit" .Release.Name | trunc 53 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "lavit.selector" -}}
app.kubernetes.io/name: lavit
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "lavit.labels" -}}
{{ include "lavit.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "lavit.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "lavit.bulkSelector" -}}
app.kubernetes.io/name: lavit-bulk
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "lavit.bulkLabels" -}}
{{ include "lavit.bulkSelector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* As the server reads it: YAML makes 4e+07 of a large number in a file, and false of off. */ -}}
{{- define "lavit.variable" -}}
{{- $name := index . 0 }}{{ $value := index . 1 -}}
{{- if and (eq $name "LAVIT_FETCH_IMAGES") (not $value) }}off
{{- else if and (kindIs "float64" $value) (eq $value (floor $value)) }}{{ int64 $value }}
{{- else }}{{ $value }}{{ end }}
{{- end }}
