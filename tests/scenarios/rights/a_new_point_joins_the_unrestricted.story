# "All points" is present and future; a list stays a list.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Lyon is a group of Forges: Anna
Given Siège is a group of Forges: Bruno
Given Lyon has measurements on P1
Given Siège has measurements on all points
Given Forges holds P4
Then Anna uses measurements on P1
Then Bruno uses measurements on P1, P2, P3, P4
