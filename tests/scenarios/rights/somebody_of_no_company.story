# Self sign-up opens an account without a company; an invitation later links it.
Given Forges is a company
Given Forges holds P1
Given Diane administers Forges
When Zoe signs up
Then Zoe has no account
When Zoe opens the last link
Then Zoe has an account
Then Zoe acts for nobody
When Diane invites Zoe to Forges
When Zoe opens the last link
Then Zoe acts for Forges
Then Zoe uses meters on P1
