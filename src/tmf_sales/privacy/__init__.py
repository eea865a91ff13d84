"""Exports and erases the personal data of a party: in resources, events, audit records and stored responses."""
