# In a restricted group and in one without scope, a member sees everything.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Lyon is a group of Forges: Anna
Given Siège is a group of Forges: Anna
Given Lyon has measurements on P1
Given Siège has measurements on all points
Then Anna uses measurements on P1, P2, P3
When Diane makes nobody the members of Siège
Then Anna uses measurements on P1
