# Detaching unlinks one company; the account and its other companies stay.
Given Forges is a company
Given Moulins is a company
Given Forges holds P1
Given Moulins holds P2
Given Diane administers Forges
Given Anna is a user of Forges
Given Anna is a user of Moulins
Given Lyon is a group of Forges: nobody
When Diane detaches Anna from Forges
Then Anna acts for Moulins
Then Anna uses meters on P2
Then Anna has an account
Then the history of Forges says member.detached of Anna by Diane
