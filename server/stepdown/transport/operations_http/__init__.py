"""Operations HTTP: liveness, readiness, metrics and status. Refuses to change anything, and to show patient data."""
