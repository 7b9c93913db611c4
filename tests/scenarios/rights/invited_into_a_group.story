# The groups chosen in the invitation are there from the first sign-in.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Lyon is a group of Forges: Anna
Given Lyon has measurements on P1, P2
When Diane invites Zoe to Forges into Lyon
When Zoe opens the last link
Then Zoe uses measurements on P1, P2
Then Zoe may not use measurements on P3: outside perimeter (Lyon)
