"""Who calls (credentials), and what the policy lets them do. Off when no setting says how to authenticate."""
