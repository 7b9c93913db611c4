# An invited person who has an account joins with it; each company's rights stay its own.
Given Forges is a company
Given Moulins is a company
Given Forges holds P1
Given Moulins holds P2
Given Diane administers Forges
Given Carla administers Moulins
When Diane invites Zoe to Forges
When Zoe opens the last link
When Carla invites Zoe to Moulins
When Zoe opens the last link
Then Zoe acts for Forges and Moulins
When Carla detaches Zoe from Moulins
Then Zoe acts for Forges
Then Zoe uses meters on P1
