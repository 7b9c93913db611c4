"""The questionnaire that the operator puts to a company before it trades."""
